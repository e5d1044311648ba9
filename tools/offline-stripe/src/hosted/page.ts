import type { Response } from 'express';

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}

/** `2000`, `usd` → `$20.00`. Currencies without minor units keep their amount. */
export function formatAmount(amount: number, currency: string): string {
  try {
    const format = new Intl.NumberFormat('en-US', { style: 'currency', currency });
    return format.format(amount / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${amount} ${currency.toUpperCase()}`;
  }
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem;color:#1a1f36}
table{border-collapse:collapse;width:100%;margin:1rem 0}td,th{padding:.5rem 0;border-bottom:1px solid #ddd;text-align:left}
td:last-child,th:last-child{text-align:right}form{display:inline}
label{display:block}input{font:inherit;padding:.3rem .5rem;border:1px solid #888;border-radius:.3rem}input[type=number]{width:5rem}
#problem{color:#b00020}button,a.button{font:inherit;padding:.6rem 1.6rem;border-radius:.4rem;border:1px solid #4f46e5;cursor:pointer;margin-right:.5rem}
#pay{background:#4f46e5;color:#fff}#cancel{background:#fff;color:#1a1f36}small{color:#5a6072}`;

/** A whole page; the values in the markup `main` must be escaped. */
export function htmlPage(title: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${main}
<p><small>Offline Stripe: a test page, no money moves.</small></p>
</main>
</body>
</html>
`;
}

export type Page = {
  title: string;
  /** Its values must be escaped. */
  main: string;
  status?: number;
  /** Allows the one script that carries it. */
  scriptNonce?: string;
};

export function sendPage(response: Response, { title, main, status = 200, scriptNonce }: Page): void {
  const scripts = scriptNonce === undefined ? '' : `; script-src 'nonce-${scriptNonce}'`;
  response
    .status(status)
    // No form-action: browsers apply it to the redirect after the form, which leaves this origin on purpose.
    .set({
      'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'${scripts}`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    })
    .type('html')
    .send(htmlPage(title, main));
}
