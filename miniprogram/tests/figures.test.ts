import { describe, expect, it } from 'vitest'
import { accepted, exceeds, fault, isClean, nothingMissing, receiptLine, withAccepted } from '@/figures/counting'
import { amount, isQuantity, minus, plus, quantity, showMoney, showQuantity } from '@/figures/decimals'

describe('decimals', () => {
  it('never meet a float', () => {
    expect(plus('0.100', '0.200')).toBe('0.300')
    expect(minus('999999999999999.001', '0.002')).toBe('999999999999998.999')
  })
  it('round each line half up and then add', () => {
    expect(amount([{ quantity: '1180.000', unitPrice: '186.00' }])).toBe('219480.00')
    expect(
      amount([
        { quantity: '0.500', unitPrice: '0.01' },
        { quantity: '0.500', unitPrice: '0.01' },
      ]),
    ).toBe('0.02')
    expect(amount([{ quantity: '1.005', unitPrice: '1' }])).toBe('1.01')
    expect(amount([{ quantity: '3.000', unitPrice: '0.3333333333333' }])).toBe('1.00')
    expect(amount([])).toBe('0.00')
  })
  it.each(['-1', '1e3', '', ' 1', '1.0000', '1,000', 'NaN', '１'])('refuse %j as a quantity', (text) => {
    expect(isQuantity(text)).toBe(false)
    expect(() => quantity(text)).toThrow(RangeError)
  })
  it('travel with three decimals', () => expect([quantity('12'), quantity('12.5')]).toEqual(['12.000', '12.500']))
  it('read well', () => {
    expect([showQuantity('1180.000'), showQuantity('12.500'), showQuantity('1234567.001')]).toEqual([
      '1,180',
      '12.5',
      '1,234,567.001',
    ])
    expect(showMoney({ amount: '219480.00', currency: 'CNY' })).toBe('¥219,480.00')
    expect(showMoney({ amount: '5.00', currency: 'USD' })).toBe('5.00 USD')
  })
})

describe('counting a line', () => {
  const twenty = { ...nothingMissing(), rejected: '20.000', reason: 'DAMAGED' as const }
  it('holds received + short = despatched + oversupply', () => {
    expect(receiptLine('1', '1200.000', twenty)).toEqual({
      despatch_line: '1',
      received_quantity: '1200.000',
      accepted_quantity: '1180.000',
      short_quantity: '0.000',
      rejected_quantity: '20.000',
      reject_reason: 'DAMAGED',
      oversupply_quantity: '0.000',
    })
    expect(receiptLine('2', '10.000', { ...nothingMissing(), short: '3' }).received_quantity).toBe('7.000')
    const over = receiptLine('3', '10.000', { ...nothingMissing(), oversupply: '2.000' })
    expect([over.received_quantity, over.accepted_quantity]).toEqual(['12.000', '10.000'])
  })
  it('takes what was accepted, the rest being short', () => {
    expect(withAccepted('1200.000', twenty, '1100.000').short).toBe('80.000')
    expect(accepted('1200.000', withAccepted('1200.000', twenty, '1100.000'))).toBe('1100.000')
    expect(exceeds('1200.000', twenty, '1181.000')).toBe(true)
    expect(exceeds('1200.000', twenty, '1180.000')).toBe(false)
  })
  it('names what cannot be', () => {
    expect(fault('10.000', { ...nothingMissing(), short: '6.000', rejected: '5.000', reason: 'OTHER' })).toBe(
      'too-many',
    )
    expect(fault('10.000', { ...nothingMissing(), rejected: '5.000' })).toBe('reason-missing')
    expect(fault('10.000', { ...nothingMissing(), short: '1.000', oversupply: '1.000' })).toBe('short-and-over')
    expect(fault('10.000', nothingMissing())).toBeNull()
    expect([isClean(nothingMissing()), isClean(twenty)]).toEqual([true, false])
  })
  it('sends no reason without a rejection', () => {
    expect(receiptLine('1', '5.000', { ...nothingMissing(), reason: 'DAMAGED' }).reject_reason).toBe('')
  })
})
