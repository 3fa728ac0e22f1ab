import type { Problem } from '@/api/problem'
import type { ActPlace, Money } from '@/api/types'
import { showMoney, showQuantity } from '@/figures/decimals'
import type { KeptProblem, QueueItem } from '@/queue/item'
import { badge } from '@/queue/item'
import { language, t, te } from './language'

/** States of an order in which somebody has yet to act: shown in another colour. */
export const WAITING = ['ISSUED', 'BUYER_SIGNED', 'AMENDING']

/** One sentence for what went wrong, in the reader's language. */
export function problemText(problem: Problem | KeptProblem): string {
  const key = `problem.${problem.code}`
  return te(key) ? t(key) : t('problem.unknown', { status: problem.status })
}

/** What the server says about it, for whoever is asked for help: English, small, beside the sentence and never instead. */
export function smallPrint(problem: Problem | KeptProblem): string[] {
  const fields = problem.errors.map((error) => [error.field, error.detail].filter(Boolean).join(': '))
  const said = problem.errors.some((error) => error.detail === problem.detail) ? [] : [problem.detail]
  return [problem.code, ...said, ...fields].filter(Boolean)
}

const isSignature = (item: QueueItem): boolean =>
  /^(order\.(sign|confirm)|(amendment|cancellation)\.agree|receipt\.sign)$/.test(item.kind)

export function badgeText(item: QueueItem): string {
  const { key, index } = badge(item)
  if (key === 'syncing') return isSignature(item) ? t('badge.syncing') : t('badge.syncingPlain')
  if (key === 'waiting') return isSignature(item) ? t('badge.waiting') : t('badge.waitingPlain')
  if (key === 'onChain') return t('badge.onChain', { index: index ?? 0 })
  return key === 'sent' ? t('badge.sent') : t('badge.refused')
}

/** A key of `group` in words, or the code itself where there are none. */
export function word(group: string, code: string): string {
  const key = `${group}.${code}`
  return te(key) ? t(key) : code
}

export const unitText = (unit: string): string => word('unit', unit)
export const quantityText = (quantity: string, unit: string): string => `${showQuantity(quantity)} ${unitText(unit)}`

/** Money that the API writes as a pair, or as an amount in the document's own currency. */
export const moneyOf = (value: Money | string, currency = 'CNY'): Money =>
  typeof value === 'string' ? { amount: value, currency } : value

export const moneyText = (value: Money | string | null | undefined, currency = 'CNY'): string =>
  value === null || value === undefined ? '' : showMoney(moneyOf(value, currency))

const lengthText = (metres: number): string =>
  metres >= 1000
    ? t('receipt.kilometres', { n: String(Math.round(metres / 100) / 10) })
    : t('receipt.metres', { n: Math.round(metres) })

/** How far an act was from the delivery address: in metres for whose act it was, else as the band that the reader may know. */
export function distanceText(place: ActPlace): string {
  if (place.distance_m != null) return lengthText(place.distance_m)
  const band = place.distance_band
  if (!band) return t('receipt.unknownDistance')
  if (band.to_m === null) return t('receipt.beyondBand', { distance: lengthText(band.from_m) })
  if (band.from_m === 0) return t('receipt.withinBand', { distance: lengthText(band.to_m) })
  const from = band.from_m >= 1000 && band.to_m >= 1000 ? String(band.from_m / 1000) : lengthText(band.from_m)
  return `${from}–${lengthText(band.to_m)}`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** A moment as a person in China reads it (UTC+8 all year), whatever the phone is set to. */
export function momentText(moment: string | null | undefined): string {
  const time = moment ? Date.parse(moment) : NaN
  if (Number.isNaN(time)) return ''
  const there = new Date(time + 8 * 3600 * 1000)
  const day = `${there.getUTCMonth() + 1}`
  const clock = `${two(there.getUTCHours())}:${two(there.getUTCMinutes())}`
  const date = there.getUTCDate()
  return language.value === 'en'
    ? `${there.getUTCFullYear()}-${two(Number(day))}-${two(date)} ${clock}`
    : `${there.getUTCFullYear()}年${day}月${date}日 ${clock}`
}

export function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
