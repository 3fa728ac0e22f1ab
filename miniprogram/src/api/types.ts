import type { Json } from '@/signer/jcs'

/** Shapes of the API as the phone reads them. Figures are strings: quantities 3 decimals, money 2. */

export interface Money {
  amount: string
  currency: string
}

export interface Text {
  zh: string
  en: string
}

export interface Party {
  id?: string
  uscc: string
  name: string
  name_en?: string
}

export type OrganisationKind = 'BUYER' | 'SELLER' | 'FACTORY' | 'CARRIER' | 'FUNDER' | 'OPERATOR' | 'AUDITOR'
export type Role = 'maker' | 'checker' | 'signer' | 'viewer' | 'driver' | 'risk_officer' | 'admin'

export interface Organisation extends Party {
  id: string
  kind: OrganisationKind
  verification: 'CLAIMED' | 'VERIFIED'
}

export interface Session {
  person: { id: string; name: string; name_en: string }
  member: { id: string; roles: Role[] }
  organisation: Organisation
  members: { id: string; organisation: Organisation }[]
  device: { id: string; public_key: string; assurance: string }
  origin: string
  server_time: string
  demonstration: boolean
}

export interface Anchor {
  event: string
  state: 'waiting' | 'on_chain' | 'anchored'
  chain: string
  index: number | null
  proof_url: string | null
}

export interface Task {
  kind:
    | 'order_to_sign'
    | 'order_to_confirm'
    | 'delivery_to_receive'
    | 'order_to_despatch'
    | 'amendment_to_answer'
    | 'cancellation_to_answer'
    | 'trip'
  subject: string
  order: { id: string; order_no: string }
  number: string
  counterparty: { name: string; name_en?: string }
  lines_summary: { count: number; first_item: string; quantity: string; unit: string }
  total: Money | null
  since: string
  due?: string | null
}

export interface Signing {
  action: 'order.sign' | 'order.confirm' | 'amendment.agree' | 'cancellation.agree' | 'receipt.sign'
  text_id: string
  text_version: string | number
  text: Text
}

export interface SignatureMade {
  action: string
  member: { name: string; name_en?: string }
  organisation: Party
  /** Null for the other side: a handset is its owner's business. */
  device: { id: string; model: string } | null
  assurance: string
  at: string
  anchor: Anchor
}

export interface Voucher {
  id: string
  kind: VoucherKind
  filename: string
  mime: string
  size: number
  sha256: string
  source: string
  created_at: string
  organisation: { id: string; name: string; name_en?: string }
  view_url: string
  /** Null: the original tells where it was taken, and is for the side that attached it. */
  content_url: string | null
  anchor: Anchor
}

export const VOUCHER_KINDS = [
  'delivery_document',
  'stamped_delivery_note',
  'weighbridge_ticket',
  'quality_report',
  'contract',
  'invoice',
  'photo',
  'other',
] as const
export type VoucherKind = (typeof VOUCHER_KINDS)[number] | 'signature'

export interface ShipTo {
  name: string
  address: string
  latitude: string
  longitude: string
  radius_m: number
}

export interface OrderDocumentLine {
  line_id: string
  item_code: string
  item_name: string
  quantity: string
  unit: string
  unit_price: string
  tax_rate: string
  tolerance_pct: string
  amount: string | Money
}

export interface OrderDocument {
  id: string
  version: number
  order_no: string
  buyer: Party
  seller: Party
  currency: string
  issue_date: string
  lines: OrderDocumentLine[]
  total: string | Money
  ship_to: ShipTo
  payment_terms: { days: number; from: string }
  contract_no: string
}

export interface LineTerms {
  quantity: string
  unit_price: string
  tolerance_pct: string
  amount: string
}

/** A change of a confirmed order that one side signed and the other must sign too. */
export interface Amendment {
  id: string
  kind: 'AMEND' | 'CANCEL'
  reason: string
  /** The order as it will be. */
  document: OrderDocument
  digest: string
  differences: { line_id: string; item_name: string; before: LineTerms | null; after: LineTerms }[]
  proposed_by: { organisation: Party }
  actions: string[]
  signing: Signing | null
}

interface Papers {
  id: string
  state: string
  version: number
  digest: string
  vouchers: Voucher[]
  anchor: Anchor | null
  actions: string[]
  signing: Signing | null
}

export interface Order extends Papers {
  /** As the reader's language names them; the document holds the names that are signed. */
  buyer: Party
  seller: Party
  document: OrderDocument
  /** Why the buyer sent it back; '' where nobody did. */
  rejection_reason: string
  /** What may still be despatched, by line; a line with nothing left is absent. */
  undespatched: Record<string, string>
  /** Back-to-back: to whom the seller may deliver instead, and how much of each of its own lines. */
  delivers_to?: DirectDestination[]
  signatures: SignatureMade[]
  /** The one that waits for an answer. */
  amendment: Amendment | null
  despatches: { id: string; despatch_no: string; state: string }[]
  receipts: { id: string; receipt_no: string; state: string }[]
}

export interface DirectDestination {
  order: { id: string; order_no: string }
  buyer: Party
  ship_to: { name: string; address: string }
  left: Record<string, string>
}

export interface OrderSummary {
  id: string
  state: string
  order_no?: string
  document?: OrderDocument
  buyer?: Party
  seller?: Party
  total?: Money | string | null
  issued_at?: string
}

export interface DespatchDocument {
  id: string
  version: number
  despatch_no: string
  order: { buyer_uscc: string; order_no: string; version: number }
  seller: Party
  despatch_party: Party
  carrier: Party | null
  plate_no: string
  waybill_no: string
  packages: number | string | null
  lines: { despatch_line: string; order_line: string; item_name: string; quantity: string; unit: string; lot: string }[]
  ship_to: ShipTo
  despatched_at: string
}

/** Where an act was done, as far as the reader may know: whose act it was sees metres, the others a band of distance. */
export interface ActPlace {
  provided: boolean
  precision_class?: string
  accuracy_m?: number | null
  distance_m?: number | null
  distance_band?: { from_m: number; to_m: number | null } | null
  within?: boolean | null
}

export interface Milestone {
  kind: 'PICKED_UP' | 'ARRIVED'
  at: string
  place?: ActPlace | null
  anchor?: Anchor
}

export interface Despatch extends Papers {
  document: DespatchDocument
  order: { id: string; order_no: string; version: number; buyer: Party; seller: Party }
  carrier: Party | null
  lines: {
    despatch_line: string
    order_line: string
    item_name: string
    quantity: string
    unit: string
    unit_price: string | null
  }[]
  currency?: string
  milestones: Milestone[]
  receipt: { id: string; receipt_no: string; state: string } | null
}

export interface DespatchSummary {
  id: string
  state: string
  despatch_no?: string
  document?: DespatchDocument
  order?: { id: string; order_no: string }
}

/** Whoever delivered for the order's seller is shown the counts alone: no document, money, person or place. */
export interface Receipt extends Omit<Papers, 'actions' | 'signing' | 'digest'> {
  receipt_no: string
  document: Json | null
  digest: string | null
  actions?: string[]
  despatch: { id: string; despatch_no: string } | string
  order: { id: string; order_no: string }
  lines: Record<string, string>[]
  total: Money | null
  buyer: Party
  signer: { name: string; name_en?: string } | null
  device: { id: string; model: string } | null
  assurance: string
  signed_at?: string
  location: ActPlace | null
}

export interface Consent {
  id?: string
  purpose: 'location'
  text_id: string
  text_version: string | number
  text: Text
  given: boolean | null
  at: string | null
}

export interface LoginRecord {
  id?: string
  at?: string
  time?: string
  result: string
  failure_code?: string
  device?: { id: string; model: string } | string | null
  model?: string
  system?: string
  ip?: string | null
  network_type?: string
  simulated?: boolean
  handset?: string
}

export interface Upload {
  id: string
  offset: number
  size: number
  chunk_size: number
  state: 'OPEN' | 'COMPLETE' | 'FAILED'
}

export interface Carrier extends Party {
  id: string
  drivers: { id: string; name: string; name_en?: string }[]
}

export interface OwnDevice {
  id: string
  model: string
  system: string
  platform: string
  registered_at: string
  revoked_at: string | null
  /** The handset that asks. */
  here: boolean
  revocable: boolean
}

export interface Page<T> {
  results: T[]
  next?: string | null
}
