import type { VoucherKind } from '@/api/types'
import { face, type PickedFile } from '@/platform'
import type { QueuedFile } from '@/queue/item'
import { streamDigest } from '@/signer/digest'
import en from '@/locale/en'
import zh from '@/locale/zh-Hans'
import { t } from './language'
import { newId, submit } from './outbox'

export const LARGEST = 20 * 1024 * 1024
/** How the content of each type that is taken begins. */
const BEGINNINGS: [string, number[]][] = [
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['application/pdf', [0x25, 0x50, 0x44, 0x46, 0x2d]],
]

export class Unfit extends Error {
  constructor(
    readonly why: 'too-large' | 'empty' | 'type',
    readonly filename: string,
  ) {
    super(why)
  }
}

/** What the content says it is; null when it is of no type that is taken. */
export const typeOf = (head: Uint8Array): string | null =>
  BEGINNINGS.find(([, bytes]) => bytes.every((byte, index) => head[index] === byte))?.[0] ?? null

/** Why a file was not kept, in the reader's language and by the file's name. */
export const unfitText = (error: unknown): string =>
  error instanceof Unfit ? t(`voucher.unfit.${error.why}`, { name: error.filename }) : t('problem.storage-full')

/**
 * Puts a picked file on the shelf and takes its digest from there. Throws Unfit, and keeps nothing then. Its type is what its
 * content says: phones give pictures any name.
 */
export async function keepFile(
  picked: PickedFile,
  kind: VoucherKind,
  progress?: (share: number) => void,
): Promise<QueuedFile> {
  const { size, name: filename, source, captured_at } = picked
  if (size === 0) throw new Unfit('empty', filename)
  if (size > LARGEST) throw new Unfit('too-large', filename)
  const id = await newId()
  await face.files.put(id, picked)
  const mime = typeOf(new Uint8Array(await face.files.read(id, 0, Math.min(size, 8))))
  if (!mime) {
    await face.files.remove(id)
    throw new Unfit('type', filename)
  }
  const sha256 = await streamDigest(size, (offset, length) => face.files.read(id, offset, length), progress)
  return { id, sha256, size, filename, mime, source, captured_at, kind, upload: null, sent: 0 }
}

/** Queues a kept file as a voucher of `subject`, or of what the item `after` will have made. */
export async function submitVoucher(file: QueuedFile, subject: string, after: string | null = null) {
  return submit({
    id: await newId(),
    kind: 'voucher',
    title: {
      zh: `${zh.voucher.kinds[file.kind]} ${file.filename}`,
      en: `${en.voucher.kinds[file.kind]} ${file.filename}`,
    },
    subject,
    path: '/vouchers/',
    body: { kind: file.kind, subject: after ? '{after}' : subject },
    files: [file],
    uploads: 'one',
    after,
  })
}
