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
button,a.button{font:inherit;padding:.6rem 1.6rem;border-radius:.4rem;border:1px solid #4f46e5;cursor:pointer;margin-right:.5rem}
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
