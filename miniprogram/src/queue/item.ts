import type { FieldError } from '@/api/problem'
import type { Anchor, Text, VoucherKind } from '@/api/types'

export type ItemKind =
  | 'order.sign'
  | 'order.confirm'
  | 'order.reject'
  | 'amendment.agree'
  | 'cancellation.agree'
  | 'amendment.refuse'
  | 'amendment.withdraw'
  | 'receipt.sign'
  | 'despatch'
  | 'milestone'
  | 'voucher'
  | 'consent'

/** Acts that are done once on their subject: what this phone has done of them is not to be done again. */
export const ONCE: ItemKind[] = ['order.sign', 'order.confirm', 'order.reject', 'receipt.sign']

/** A file that goes up before its write: bytes lie on the device's shelf until the server has them. */
export interface QueuedFile {
  id: string
  sha256: string
  size: number
  filename: string
  mime: string
  source: 'camera' | 'album' | 'file'
  captured_at: string | null
  kind: VoucherKind
  /** The server's upload, once begun. */
  upload: string | null
  sent: number
  /** How many uploads of it came to nothing: each has a key of its own, for a key answers as it did the first time. */
  ended?: number
}

/** waiting: to be sent (again) at `next_at`; sending; accepted or duplicate: the server has it; rejected: it said no. */
export type ItemState = 'waiting' | 'sending' | 'accepted' | 'duplicate' | 'rejected'

export interface KeptProblem {
  status: number
  code: string
  title: string
  detail: string
  errors: FieldError[]
}

/** One write of this phone. `id` is its client_event_id and its Idempotency-Key, for good. */
export interface QueueItem {
  id: string
  kind: ItemKind
  member: string
  title: Text
  subject: string
  path: string
  body: Record<string, unknown>
  files: QueuedFile[]
  /** How the body names its uploads: a signed act lists them, a voucher is one. */
  uploads: 'list' | 'one' | 'none'
  /** Sent only once this item is accepted; `{after}` in path and body then becomes its result's id. */
  after: string | null
  created_at: number
  state: ItemState
  attempts: number
  next_at: number
  problem: KeptProblem | null
  result: { id: string; anchor: Anchor | null } | null
}

export type NewItem = Pick<QueueItem, 'id' | 'kind' | 'member' | 'title' | 'subject' | 'path' | 'body'> &
  Partial<Pick<QueueItem, 'files' | 'uploads' | 'after'>>

export const isSettled = (item: QueueItem): boolean => item.state === 'accepted' || item.state === 'duplicate'
export const isPending = (item: QueueItem): boolean => item.state === 'waiting' || item.state === 'sending'

/** What the person reads: 已签·待同步, 已签·待上链, 已上链 #n, or refused. */
export function badge(item: QueueItem): {
  key: 'syncing' | 'waiting' | 'onChain' | 'sent' | 'refused'
  index: number | null
} {
  if (item.state === 'rejected') return { key: 'refused', index: null }
  if (!isSettled(item)) return { key: 'syncing', index: null }
  const anchor = item.result?.anchor
  if (!anchor) return { key: 'sent', index: null }
  if (anchor.index === null || anchor.state === 'waiting') return { key: 'waiting', index: null }
  return { key: 'onChain', index: anchor.index }
}

/** Share of the files' bytes the server has, 0 to 1. */
export function share(item: QueueItem): number {
  const size = item.files.reduce((sum, file) => sum + file.size, 0)
  return size === 0 ? 1 : item.files.reduce((sum, file) => sum + Math.min(file.sent, file.size), 0) / size
}
