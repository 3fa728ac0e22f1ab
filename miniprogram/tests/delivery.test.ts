import { describe, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import type { Despatch } from '@/api/types'
import { memoryShelf } from './memory'

vi.mock('@/platform', () => ({ face: { shelf: memoryShelf() } }))
const { useCounting } = await import('@/stores/delivery')

const despatch = {
  currency: 'CNY',
  lines: [
    { despatch_line: 'a', quantity: '600.000', unit_price: '186.00' },
    { despatch_line: 'b', quantity: '10.000', unit_price: '5.00' },
  ],
} as unknown as Despatch

describe('counting', () => {
  it('takes what was not counted as received, and leaves what was found bad as it was counted', () => {
    const counting = useCounting(ref<Despatch | null>(despatch), ref('dsp_1'))
    counting.draft.counts.a = { short: '5.000', rejected: '20.000', reason: 'DAMAGED', oversupply: '0.000' }
    expect(counting.counted.value).toBe(false)
    counting.takeRest()
    expect(counting.counted.value).toBe(true)
    expect(counting.receiptLines.value.map((line) => line.accepted_quantity)).toEqual(['575.000', '10.000'])
    expect(counting.draft.counts.a.reason).toBe('DAMAGED')
    expect(counting.total.value.amount).toBe('107000.00')
  })
})
