import type { VoucherKind } from '@/api/types'
import { face, type PickedFile } from '@/platform'
import type { QueuedFile } from '@/queue/item'
import { streamDigest } from '@/signer/digest'
import en from '@/locale/en'
import zh from '@/locale/zh-Hans'
import { newId, submit } from './outbox'

export const LARGEST = 20 * 1024 * 1024
const TYPES = ['image/jpeg', 'image/png', 'application/pdf']

export class Unfit extends Error {
  constructor(readonly why: 'too-large' | 'empty' | 'type') {
    super(why)
  }
}

/** Puts a picked file on the shelf and takes its digest from there. Throws Unfit before anything is kept. */
export async function keepFile(
  picked: PickedFile,
  kind: VoucherKind,
  progress?: (share: number) => void,
): Promise<QueuedFile> {
  if (!TYPES.includes(picked.mime)) throw new Unfit('type')
  if (picked.size === 0) throw new Unfit('empty')
  if (picked.size > LARGEST) throw new Unfit('too-large')
  const id = await newId()
  await face.files.put(id, picked)
  const sha256 = await streamDigest(picked.size, (offset, length) => face.files.read(id, offset, length), progress)
  const { size, name: filename, mime, source, captured_at } = picked
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
