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

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? 'The answer is not one of the API.');
    this.status = status;
    this.code = problem.code ?? 'unknown';
    this.title = problem.title ?? 'Something went wrong';
    this.requestId = problem.request_id ?? null;
    this.fields = problem.errors ?? [];
  }
}

export const unreachable = (): ApiError =>
  new ApiError(0, {
    code: 'unreachable',
    title: 'The service cannot be reached',
    detail: 'Nothing was changed by this page. It asks again by itself.',
  });

/** The error of an answer, also of one that a proxy in between gave. */
export async function readProblem(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    return new ApiError(response.status, JSON.parse(text));
  } catch {
    return new ApiError(response.status, { detail: `The answer was ${response.status}, and is not JSON.` });
  }
}
