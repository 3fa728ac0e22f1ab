import type { Client } from '@/api/client'
import { Problem } from '@/api/problem'
import type { Anchor } from '@/api/types'
import type { FileShelf, Shelf } from '@/platform/face'
import { backoff } from './backoff'
import { isPending, isSettled, type NewItem, type QueueItem } from './item'
import { sendFile, sendWrite } from './send'

const KEY = 'queue/'
const KEPT_SETTLED = 30

export interface QueueParts {
  shelf: Shelf
  files: FileShelf
  client: Client
  /** The member signed in; items of another member wait for theirs. */
  member(): string | null
  alone(work: () => Promise<void>): Promise<void>
  now(): number
  changed(items: QueueItem[]): void
  random?: () => number
}

/**
 * The one persistent queue every write passes. An item is on the shelf before `add` returns and leaves it only when the
 * server has it and newer ones push it out, or when the person dismisses a refused one; a restart goes on where it stopped.
 */
export class Queue {
  private pumping: Promise<void> | null = null
  private again = false

  constructor(private readonly parts: QueueParts) {}

  items(): QueueItem[] {
    const { shelf } = this.parts
    return shelf
      .keys()
      .filter((key) => key.startsWith(KEY))
      .map((key) => shelf.get<QueueItem>(key))
      .filter((item): item is QueueItem => item !== null)
      .sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1))
  }

  item(id: string): QueueItem | null {
    return this.parts.shelf.get<QueueItem>(KEY + id)
  }

  /** Puts a write on the shelf. The same id again is the same write: what lies there stays. */
  add(item: NewItem): QueueItem {
    const known = this.item(item.id)
    if (known) return known
    const added: QueueItem = {
      files: [],
      uploads: 'none',
      after: null,
      ...item,
      created_at: this.parts.now(),
      state: 'waiting',
      attempts: 0,
      next_at: 0,
      problem: null,
      result: null,
    }
    this.save(added)
    return added
  }

  /** Sends what is due. Resolves when nothing more can be sent now; calls while it runs join it. */
  pump(): Promise<void> {
    if (this.pumping) {
      this.again = true
      return this.pumping
    }
    this.pumping = this.parts
      .alone(async () => {
        do {
          this.again = false
          for (let item = this.due(); item; item = this.due()) await this.send(item)
        } while (this.again)
      })
      .finally(() => {
        this.pumping = null
      })
    return this.pumping
  }

  /** Milliseconds until an item is due; null when none waits. */
  nextIn(): number | null {
    const times = this.items()
      .filter((item) => this.mine(item) && isPending(item) && this.ready(item))
      .map((item) => item.next_at)
    return times.length === 0 ? null : Math.max(0, Math.min(...times) - this.parts.now())
  }

  /** The network came back: what waits is due now. */
  hurry(): void {
    for (const item of this.items()) if (isPending(item) && item.next_at > 0) this.save({ ...item, next_at: 0 })
  }

  /** Tries a refused item again under the same id. */
  retry(id: string): void {
    const item = this.item(id)
    if (item?.state === 'rejected') this.save({ ...item, state: 'waiting', attempts: 0, next_at: 0, problem: null })
  }

  /** Takes a settled or refused item, and its files, off the phone. Something still waiting is never dropped. */
  async dismiss(id: string): Promise<void> {
    const item = this.item(id)
    if (!item || isPending(item)) return
    await this.dropFiles(item)
    this.parts.shelf.remove(KEY + id)
    this.parts.changed(this.items())
  }

  /** Notes where an item's event stands in the ledger. */
  anchored(event: string, change: Partial<Anchor>): void {
    for (const item of this.items()) {
      const anchor = item.result?.anchor
      if (item.result && anchor?.event === event)
        this.save({ ...item, result: { ...item.result, anchor: { ...anchor, ...change } } })
    }
  }

  private mine(item: QueueItem): boolean {
    return item.member === this.parts.member()
  }

  private ready(item: QueueItem): boolean {
    if (!item.after) return true
    const before = this.item(item.after)
    return before === null || isSettled(before)
  }

  /** An item left in `sending` was cut off by a restart: it is due like any other. */
  private due(): QueueItem | undefined {
    const now = this.parts.now()
    return this.items().find((item) => isPending(item) && this.mine(item) && this.ready(item) && item.next_at <= now)
  }

  private save(item: QueueItem): void {
    this.parts.shelf.set(KEY + item.id, item)
    this.parts.changed(this.items())
  }

  private async send(item: QueueItem): Promise<void> {
    const { client, files } = this.parts
    const sending: QueueItem = { ...item, state: 'sending' }
    this.save(sending)
    try {
      for (const [position, file] of sending.files.entries())
        await sendFile(client, files, file, `${item.id}-f${position}`, () => this.save({ ...sending }))
      const afterId = item.after ? (this.item(item.after)?.result?.id ?? '') : ''
      const { id, anchor, replayed } = await sendWrite(client, sending, afterId)
      this.save({ ...sending, state: replayed ? 'duplicate' : 'accepted', result: { id, anchor }, problem: null })
      await this.dropFiles(sending)
      this.forgetOldest()
    } catch (error) {
      this.failed(sending, error)
    }
  }

  private failed(item: QueueItem, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem(0, 'phone-fault', '', String(error))
    const { status, code, title, detail, errors } = problem
    const kept = { status, code, title, detail, errors }
    // 401 here means that signing in again failed too: the item waits for its person.
    if (!problem.passing && status !== 401) return this.save({ ...item, state: 'rejected', problem: kept })
    const attempts = item.attempts + 1
    const wait = Math.max(backoff(attempts, this.parts.random), (problem.retryAfter ?? 0) * 1000)
    this.save({ ...item, state: 'waiting', attempts, next_at: this.parts.now() + wait, problem: kept })
  }

  private async dropFiles(item: QueueItem): Promise<void> {
    for (const file of item.files) await this.parts.files.remove(file.id)
  }

  private forgetOldest(): void {
    const items = this.items()
    const needed = new Set(items.filter(isPending).map((item) => item.after))
    const settled = items.filter((item) => isSettled(item) && !needed.has(item.id))
    for (const item of settled.slice(0, Math.max(0, settled.length - KEPT_SETTLED)))
      this.parts.shelf.remove(KEY + item.id)
  }
}
