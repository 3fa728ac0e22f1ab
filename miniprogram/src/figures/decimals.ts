import Decimal from 'decimal.js-light'

Decimal.set({ precision: 40, toExpNeg: -30, toExpPos: 30 })

export const ZERO = '0.000'
const QUANTITY = /^\d{1,15}(\.\d{1,3})?$/

/** Whether `text` is a quantity: not negative, at most three decimals. */
export const isQuantity = (text: string): boolean => QUANTITY.test(text)

/** A quantity with its three decimals, as it travels. Throws RangeError on anything else. */
export function quantity(text: string): string {
  if (!isQuantity(text)) throw new RangeError(`not a quantity: ${text}`)
  return new Decimal(text).toFixed(3)
}

export const plus = (a: string, b: string): string => new Decimal(a).plus(b).toFixed(3)
export const minus = (a: string, b: string): string => new Decimal(a).minus(b).toFixed(3)
/** So many per cent of a quantity, rounded down to three decimals. */
export const share = (text: string, percent: string): string =>
  new Decimal(text).times(percent).div(100).toDecimalPlaces(3, Decimal.ROUND_DOWN).toFixed(3)
export const compare = (a: string, b: string): number => new Decimal(a).cmp(b)
export const isZero = (text: string): boolean => new Decimal(text).isZero()
export const isNegative = (text: string): boolean => new Decimal(text).isNegative() && !isZero(text)

/** Sum of quantity x unit price, each line rounded half up to two decimals: the amount of a document. */
export function amount(lines: { quantity: string; unitPrice: string }[]): string {
  return lines
    .reduce(
      (sum, line) =>
        sum.plus(new Decimal(line.quantity).times(line.unitPrice).toDecimalPlaces(2, Decimal.ROUND_HALF_UP)),
      new Decimal(0),
    )
    .toFixed(2)
}

const grouped = (whole: string): string => whole.replace(/\B(?=(\d{3})+$)/g, ',')

/** For reading: 1180.000 -> 1,180; 12.500 -> 12.5. */
export function showQuantity(text: string): string {
  const [whole, fraction = ''] = new Decimal(text).toFixed(3).split('.')
  const kept = fraction.replace(/0+$/, '')
  return kept ? `${grouped(whole)}.${kept}` : grouped(whole)
}

/** For reading: 219480.00 CNY -> ¥219,480.00. */
export function showMoney(total: { amount: string; currency: string }): string {
  const [whole, fraction] = new Decimal(total.amount).toFixed(2).split('.')
  const figure = `${grouped(whole)}.${fraction}`
  return total.currency === 'CNY' ? `¥${figure}` : `${figure} ${total.currency}`
}
