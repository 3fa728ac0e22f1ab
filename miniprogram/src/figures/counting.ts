import { compare, isNegative, isZero, minus, plus, quantity, ZERO } from './decimals'

export type RejectReason = '' | 'DAMAGED' | 'WRONG_ITEM' | 'QUALITY' | 'EXPIRED' | 'OTHER'
export const REJECT_REASONS: RejectReason[] = ['DAMAGED', 'WRONG_ITEM', 'QUALITY', 'EXPIRED', 'OTHER']

/** What a person counts on one line; the rest follows from what was despatched. */
export interface Count {
  short: string
  rejected: string
  reason: RejectReason
  oversupply: string
}

export const nothingMissing = (): Count => ({ short: ZERO, rejected: ZERO, reason: '', oversupply: ZERO })

/** Good goods kept: despatched less short less rejected (may come out negative: see `fault`). */
export const accepted = (despatched: string, count: Count): string =>
  minus(minus(despatched, count.short), count.rejected)

/** The count when `good` pieces were accepted: what is missing to the despatched quantity is short. */
export function withAccepted(despatched: string, count: Count, good: string): Count {
  const short = minus(minus(despatched, count.rejected), good)
  return { ...count, short: isNegative(short) ? ZERO : short }
}

export type CountFault = 'too-many' | 'reason-missing' | 'short-and-over' | null

export function fault(despatched: string, count: Count): CountFault {
  if (isNegative(accepted(despatched, count))) return 'too-many'
  if (!isZero(count.short) && !isZero(count.oversupply)) return 'short-and-over'
  if (!isZero(count.rejected) && count.reason === '') return 'reason-missing'
  return null
}

export const isClean = (count: Count): boolean =>
  isZero(count.short) && isZero(count.rejected) && isZero(count.oversupply)

/** A receipt line as it is sent and signed: received + short = despatched + oversupply. */
export function receiptLine(despatchLine: string, despatched: string, count: Count) {
  return {
    despatch_line: despatchLine,
    received_quantity: minus(plus(despatched, count.oversupply), count.short),
    accepted_quantity: accepted(despatched, count),
    short_quantity: quantity(count.short),
    rejected_quantity: quantity(count.rejected),
    reject_reason: isZero(count.rejected) ? '' : count.reason,
    oversupply_quantity: quantity(count.oversupply),
  }
}

/** Whether more good pieces were entered than this line can hold. */
export const exceeds = (despatched: string, count: Count, good: string): boolean =>
  compare(plus(good, count.rejected), despatched) > 0
