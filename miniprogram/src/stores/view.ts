import type { Client } from '@/api/client'
import type { Voucher } from '@/api/types'
import { face } from '@/platform'

/** Fetches a voucher to look at: the re-encoded picture, or a PDF as it is, which the device opens (null then). */
export async function showVoucher(client: Client, voucher: Voucher): Promise<string | null> {
  const bytes = await client.getBytes(`/vouchers/${voucher.id}/view`)
  const mime = voucher.mime === 'application/pdf' ? voucher.mime : 'image/jpeg'
  return face.show(bytes, mime, voucher.filename)
}
