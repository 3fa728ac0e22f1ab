import type { Answer } from '@/platform/face'

export interface FieldError {
  field: string
  code: string
  detail: string
}

/** What the server says went wrong (RFC 9457), or `offline` when it said nothing. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly errors: FieldError[] = [],
    readonly extensions: Record<string, unknown> = {},
  ) {
    super(`${status} ${code}`)
  }

  /** No verdict was given: the same request may be sent again. */
  get passing(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500
  }

  /** Seconds the server asks to wait; null when it does not say. */
  get retryAfter(): number | null {
    const seconds = Number(this.extensions.retry_after)
    return Number.isFinite(seconds) && seconds > 0 ? seconds : null
  }
}

export const offline = (): Problem => new Problem(0, 'offline', '', '')

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The problem an answer of 400 and above carries; the status alone where its body is no problem+json. */
export function problemOf(answer: Answer): Problem {
  if (answer.status === 0) return offline()
  const body = answer.body && typeof answer.body === 'object' ? (answer.body as Record<string, unknown>) : {}
  const { title, detail, code, errors, type: _type, status: _status, ...extensions } = body
  const header = answer.headers['retry-after']
  if (header && extensions.retry_after === undefined) extensions.retry_after = header
  return new Problem(
    answer.status,
    text(code) || `http-${answer.status}`,
    text(title),
    text(detail),
    Array.isArray(errors) ? (errors as FieldError[]) : [],
    extensions,
  )
}
