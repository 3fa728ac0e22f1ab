import { Hash, hash } from 'fast-sha256'
import { hex, utf8 } from './bytes'
import { jcs, type Json } from './jcs'

/** Bytes digested at a time: a 20 MB photograph never stands in memory whole. */
export const DIGEST_CHUNK = 1024 * 1024

export const sha256hex = (bytes: Uint8Array): string => hex(hash(bytes))

/** SHA-256 of the canonical JSON of `value`, lower hex. */
export const jsonDigest = (value: Json): string => sha256hex(utf8(jcs(value)))

/** SHA-256 of `size` bytes read piece by piece, lower hex; `progress` gets the share done, 0 to 1. */
export async function streamDigest(
  size: number,
  read: (offset: number, length: number) => Promise<ArrayBuffer>,
  progress: (share: number) => void = () => undefined,
): Promise<string> {
  const digest = new Hash()
  for (let offset = 0; offset < size; offset += DIGEST_CHUNK) {
    const piece = await read(offset, Math.min(DIGEST_CHUNK, size - offset))
    digest.update(new Uint8Array(piece))
    progress(Math.min(1, (offset + piece.byteLength) / size))
  }
  return hex(digest.digest())
}
