import { jsonDigest } from './digest'
import { jcs, type Json } from './jcs'
import { type DeviceKey, signText } from './key'

export type SignAction = 'order.sign' | 'order.confirm' | 'amendment.agree' | 'cancellation.agree' | 'receipt.sign'

export interface Total {
  amount: string
  currency: string
}

export interface CapturedPlace {
  latitude: string
  longitude: string
  accuracy_m: number
  datum: 'wgs84' | 'gcj02'
  precision_class: 'precise' | 'fuzzy' | 'chosen'
  age_s: number
}

export interface Capture {
  nonce: string
  captured_at: string
  network_type: string
  location: CapturedPlace | null
  location_refused: boolean
  consent: string | null
  photos: string[]
  drawing: string | null
  opened_at: string
  handset: string
}

/** What a person signs, before its digests are taken. */
export interface Act {
  action: SignAction
  origin: string
  client_event_id: string
  signer_member: string
  signer_party: string
  device_key_id: string
  document: { id: string; type: 'order' | 'despatch'; version: number; digest: string }
  order: { buyer_uscc: string; order_no: string; version: number }
  counterparty: string
  lines: Record<string, string>[]
  total: Total
  captured_at: string
  language: string
  text_id: string
  text_version: string | number
  capture: Capture
}

export type Signed = Omit<Act, 'capture'> & { nonce: string; capture_digest: string }

/** The object that is signed: the act, with the capture's nonce and digest in the capture's place. */
export function signedObject(act: Act): Signed {
  const { capture, ...rest } = act
  return { ...rest, nonce: capture.nonce, capture_digest: jsonDigest(capture as unknown as Json) }
}

/** The exact text that is signed: a version line, then canonical JSON. */
export const signedText = (signed: Signed): string => `yirong/sign/v1\n${jcs(signed as unknown as Json)}`

export class DocumentDiffers extends Error {
  constructor() {
    super('the document shown does not have the digest it came with')
  }
}

/** Refuses (DocumentDiffers) a document whose digest, taken here, is not the one it came with. */
export function checkDocument(document: Json, digest: string): void {
  if (jsonDigest(document) !== digest) throw new DocumentDiffers()
}

/** The body of a signing request: what was signed, the capture beside it, and the signature. */
export function signedAct(act: Act, key: DeviceKey) {
  const signed = signedObject(act)
  return { signed, capture: act.capture, signature: signText(key, signedText(signed)) }
}
