import type { QueueItem } from '@/queue/item'
import { go } from './page'

/** Where a queued write leads: a receipt to its card, the rest to the list of what this phone sent. */
export function openItem(item: QueueItem): void {
  go(
    item.kind === 'receipt.sign' && item.state !== 'rejected'
      ? `/pages/receipt/card?item=${item.id}`
      : '/pages/queue/index',
  )
}
