import { computed, reactive, type Ref, watch } from 'vue'
import type { Despatch } from '@/api/types'
import { accepted, type Count, fault, nothingMissing, receiptLine } from '@/figures/counting'
import { amount } from '@/figures/decimals'
import { face } from '@/platform'
import type { QueuedFile } from '@/queue/item'

interface Draft {
  counts: Record<string, Count>
  photos: QueuedFile[]
}

/** The counting of one delivery. It is kept on the phone as it grows: a page that closes loses nothing. */
export function useCounting(despatch: Ref<Despatch | null>, id: Ref<string>) {
  const draft = reactive<Draft>({ counts: {}, photos: [] })
  const key = () => `draft/${id.value}`

  /** Goes on with what was begun; true when there was something. */
  function restore(): boolean {
    const kept = face.shelf.get<Draft>(key())
    if (kept) Object.assign(draft, kept)
    return kept !== null
  }
  watch(draft, () => face.shelf.set(key(), JSON.parse(JSON.stringify(draft))), { deep: true })
  const forget = () => face.shelf.remove(key())

  const lines = computed(() => despatch.value?.lines ?? [])
  const isCounted = (line: { despatch_line: string; quantity: string }) => {
    const count = draft.counts[line.despatch_line]
    return count !== undefined && fault(line.quantity, count) === null
  }
  const counted = computed(() => lines.value.length > 0 && lines.value.every(isCounted))

  /** Everything not counted yet came in whole. What was found missing or bad stays as it was counted. */
  function takeRest(): void {
    for (const line of lines.value) if (!isCounted(line)) draft.counts[line.despatch_line] = nothingMissing()
  }

  const receiptLines = computed(() =>
    lines.value
      .filter(isCounted)
      .map((line) => receiptLine(line.despatch_line, line.quantity, draft.counts[line.despatch_line])),
  )
  /** Accepted goods at their prices, tax included, each line rounded half up. */
  const total = computed(() => ({
    amount: amount(
      lines.value.map((line) => ({
        quantity: draft.counts[line.despatch_line] ? accepted(line.quantity, draft.counts[line.despatch_line]) : '0',
        unitPrice: line.unit_price ?? '0',
      })),
    ),
    currency: despatch.value?.currency ?? 'CNY',
  }))
  return { draft, restore, forget, lines, counted, isCounted, takeRest, receiptLines, total }
}
