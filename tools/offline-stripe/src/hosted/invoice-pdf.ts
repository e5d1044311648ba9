import type { Invoice } from '../stripe-objects.ts';
import { formatAmount } from './page.ts';

/** Text in a PDF: one byte a character, brackets and backslashes escaped. */
function pdfText(value: string): string {
  const plain = value.normalize('NFKD').replaceAll(/[^\u0020-\u007e]/g, '?');
  return plain.replaceAll(/[\\()]/g, (char) => `\\${char}`);
}

function textOf(invoice: Invoice): string[] {
  const { currency } = invoice;
  return [
    `Invoice ${invoice.number ?? ''}`,
    `Status: ${invoice.status ?? ''}`,
    '',
    ...invoice.lines.data.map((line) => `${line.description ?? ''}   ${formatAmount(line.amount, currency)}`),
    '',
    `Total: ${formatAmount(invoice.total, currency)}`,
    `Amount due: ${formatAmount(invoice.amount_due, currency)}`,
    '',
    'Offline Stripe: a test invoice, no money moves.',
  ];
}

/** One page with the invoice's lines and sums. */
export function invoicePdf(invoice: Invoice): Buffer {
  const lines = textOf(invoice).map((line) => `(${pdfText(line)}) Tj T*`);
  const stream = `BT /F1 11 Tf 50 780 Td 16 TL\n${lines.join('\n')}\nET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${Buffer.byteLength(stream)} >>\nstream\n${stream}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let text = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const at = Buffer.byteLength(text);
    text += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(at).padStart(10, '0')} 00000 n \n`;
  });
  const start = Buffer.byteLength(text);
  const size = objects.length + 1;
  text += `xref\n0 ${size}\n0000000000 65535 f \n${places.join('')}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
