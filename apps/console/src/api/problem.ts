import type { FieldProblem } from '@billing/domain';

/** What the API answers to a call that failed, as RFC 9457 has it. */
type Problem = { code: string; title: string; detail: string; request_id: string; errors?: FieldProblem[] };

/** A call that failed. `status` 0: no answer came. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly requestId: string | null;
  readonly fields: readonly FieldProblem[];
  /** How long to wait before the call is made again; null: the answer does not say. */
  readonly retryAfterSeconds: number | null;

  constructor(status: number, problem: Partial<Problem>, retryAfterSeconds: number | null = null) {
    super(problem.detail ?? problem.title ?? 'The answer is not one of the API.');
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.title = problem.title ?? 'Something went wrong';
    this.requestId = problem.request_id ?? null;
    this.fields = problem.errors ?? [];
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** No answer came. What changes something may have been done all the same. */
export const unreachable = (isRead: boolean): ApiError =>
  new ApiError(0, {
    code: 'unreachable',
    title: 'The service cannot be reached',
    detail: isRead
      ? 'No answer came, and nothing was changed.'
      : 'No answer came. It may be done all the same: look before you do it again.',
  });

/** How long whoever was refused should wait, in milliseconds. */
export const waitMsOf = (error: unknown): number =>
  error instanceof ApiError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;

/** `Retry-After` in seconds; a date, which only proxies send, is taken for none. */
function retryAfterOf({ headers }: Response): number | null {
  const text = headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : null;
}

/** The error of an answer, also of one that a proxy in between gave. */
export async function readProblem(response: Response): Promise<ApiError> {
  const { status } = response;
  const text = await response.text().catch(() => '');
  try {
    return new ApiError(status, JSON.parse(text), retryAfterOf(response));
  } catch {
    const detail = `The answer was ${status}, and is not JSON.`;
    return new ApiError(status, { detail }, retryAfterOf(response));
  }
}
