import type { Client } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Anchor, Upload } from '@/api/types'
import type { FileShelf } from '@/platform/face'
import type { QueuedFile, QueueItem } from './item'

const PART = 1024 * 1024
/** Uploads that are begun for a file before its person is asked. */
const BEGUN_AT_MOST = 3
/** Codes after which an upload never becomes whole: the server gave it up, or it lost a part. */
const ENDED = ['upload-failed', 'digest-mismatch']

/**
 * Sends one file from where the server's copy ends, part by part. Repeating it is harmless: the upload is found by its
 * key, and a wrong offset (409 `upload-offset`) tells where to go on. An upload that came to nothing is begun anew.
 * `saved` is called after each part.
 */
export async function sendFile(
  client: Client,
  shelf: FileShelf,
  file: QueuedFile,
  key: string,
  saved: () => void,
): Promise<void> {
  for (let begun = 1; ; begun++) {
    try {
      return await sendOnce(client, shelf, file, file.ended ? `${key}-${file.ended + 1}` : key, saved)
    } catch (error) {
      if (!cameToNothing(file, error)) throw error
      file.upload = null
      file.sent = 0
      file.ended = (file.ended ?? 0) + 1
      saved()
      if (begun === BEGUN_AT_MOST) throw error
    }
  }
}

/** Whether the server has given the file's upload up, or knows nothing of it (any more). */
const cameToNothing = (file: QueuedFile, error: unknown): boolean =>
  file.upload !== null && error instanceof Problem && (error.status === 404 || ENDED.includes(error.code))

async function sendOnce(
  client: Client,
  shelf: FileShelf,
  file: QueuedFile,
  key: string,
  saved: () => void,
): Promise<void> {
  const { sha256, size, filename, mime, source, captured_at } = file
  const opened = file.upload
    ? await client.get<Upload>(`/uploads/${file.upload}/`)
    : (await client.write<Upload>('/uploads/', { sha256, size, filename, mime, source, captured_at }, key)).body
  file.upload = opened.id
  file.sent = opened.offset
  saved()
  const part = Math.min(opened.chunk_size || PART, PART)
  let state = opened.state
  while (state === 'OPEN' && file.sent < size) {
    const bytes = await readPart(shelf, file, Math.min(part, size - file.sent))
    const before = file.sent
    const after = await putPart(client, file, bytes)
    state = after.state
    file.sent = after.offset
    saved()
    if (state === 'OPEN' && after.offset <= before && !after.resumed) throw new Problem(502, 'upload-stuck', '', '')
  }
  if (state === 'FAILED') throw new Problem(422, 'upload-failed', '', '')
}

async function readPart(shelf: FileShelf, file: QueuedFile, length: number): Promise<ArrayBuffer> {
  try {
    return await shelf.read(file.id, file.sent, length)
  } catch (error) {
    // Waiting would not bring it back: the person is told, and may try again.
    throw new Problem(400, 'file-gone', '', String(error))
  }
}

async function putPart(
  client: Client,
  file: QueuedFile,
  bytes: ArrayBuffer,
): Promise<{ offset: number; state: Upload['state']; resumed: boolean }> {
  try {
    const answer = await client.putBytes<Upload>(`/uploads/${file.upload}/parts/${file.sent}`, bytes)
    return { offset: answer.offset, state: answer.state, resumed: false }
  } catch (error) {
    const offset = error instanceof Problem && error.code === 'upload-offset' ? Number(error.extensions.offset) : NaN
    // An answer that points back to where we already stand would loop for ever.
    if (!Number.isInteger(offset) || offset === file.sent) throw error
    return { offset, state: offset >= file.size ? 'COMPLETE' : 'OPEN', resumed: true }
  }
}

const named = <T>(value: T, id: string): T => JSON.parse(JSON.stringify(value).split('{after}').join(id)) as T

interface Made {
  id?: string
  anchor?: Anchor | null
  signatures?: { action: string; anchor: Anchor | null }[]
  milestones?: { kind: string; anchor?: Anchor | null }[]
}

/** The anchor of what this write did: an answer that shows a whole document carries it beside others. */
function anchorOf(item: QueueItem, made: Made | null): Anchor | null {
  if (/^(order|amendment|cancellation)\./.test(item.kind))
    return made?.signatures?.filter((one) => one.action === item.kind).pop()?.anchor ?? null
  if (item.kind === 'milestone') return made?.milestones?.find((one) => one.kind === item.body.kind)?.anchor ?? null
  return made?.anchor ?? null
}

/** The write itself, once its files are up. */
export async function sendWrite(
  client: Client,
  item: QueueItem,
  afterId: string,
): Promise<{ id: string; anchor: Anchor | null; replayed: boolean }> {
  const uploads = item.files.map((file) => ({ upload: file.upload, kind: file.kind, sha256: file.sha256 }))
  const more = item.uploads === 'list' ? { uploads } : item.uploads === 'one' ? { upload: uploads[0]?.upload } : {}
  const { body, replayed } = await client.write<Made | null>(
    named(item.path, afterId),
    { ...named(item.body, afterId), ...more },
    item.id,
  )
  return { id: body?.id ?? item.subject, anchor: anchorOf(item, body), replayed }
}
