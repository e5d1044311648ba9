import type { Answer, Document, Operation, Parameter } from './document-schema.ts';
import { escapeHtml, renderInline, renderJson, renderMarkdown } from './html.ts';
import { renderFieldLine, renderFields } from './render-schema.ts';

export type Call = { method: string; path: string; operation: Operation };

const whoMayCall: Record<string, string> = {
  projectKey: 'project API key',
  adminSecret: 'admin secret',
  metricsToken: 'metrics token, if one is set',
  operatorLogin: 'admin name and secret',
  stripeSignature: "Stripe's signature",
  consoleSession: 'session of the console',
};

function accessOf({ security }: Operation): string {
  const names = security.flatMap((scheme) => Object.keys(scheme));
  return names.map((name) => whoMayCall[name] ?? name).join(' or ') || 'anybody: no credentials';
}

function curlOf({ method, path, operation }: Call): string {
  const query = operation.parameters
    .filter((parameter) => parameter.in === 'query' && parameter.required)
    .map(({ name }) => `${name}=…`)
    .join('&');
  const [body] = Object.values(operation.requestBody?.content ?? {});
  const authorization: Record<string, string> = {
    projectKey: ` \\\n  -H "Authorization: Bearer $API_KEY"`,
    adminSecret: ` \\\n  -H "Authorization: Bearer $ADMIN"`,
    operatorLogin: ' \\\n  -u "$ADMIN_NAME:$ADMIN"',
    stripeSignature: ` \\\n  -H "Stripe-Signature: t=…,v1=…"`,
  };
  const [scheme] = operation.security.flatMap((each) => Object.keys(each));
  return [
    `curl -sS${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} "$API${path}${query === '' ? '' : `?${query}`}"`,
    authorization[scheme ?? ''] ?? '',
    body === undefined
      ? ''
      : ` \\\n  -H "Content-Type: application/json" \\\n  -d '${JSON.stringify(body.example, null, 2).replaceAll("'", String.raw`'\''`)}'`,
  ].join('');
}

function renderParameters(operation: Operation, document: Document): string {
  if (operation.parameters.length === 0) return '';
  const { schemas } = document.components;
  const rows = operation.parameters.map((parameter) => {
    const field = { description: parameter.description, ...withDescription(parameter) };
    return `<li><span class="place">${parameter.in}</span> ${renderFieldLine({ name: parameter.name, field, isRequired: parameter.required }, schemas)}</li>`;
  });
  return `<h4>Parameters</h4><ul class="fields">${rows.join('')}</ul>`;
}

const withDescription = ({ schema, description }: Parameter) =>
  description === undefined ? schema : { ...schema, description };

function renderBody(operation: Operation, document: Document): string {
  return Object.values(operation.requestBody?.content ?? {})
    .map((body) => `<h4>Body</h4>${renderFields(body.schema, document.components.schemas)}`)
    .join('');
}

function resolveAnswer(response: Operation['responses'][string], document: Document): Answer {
  if (!('$ref' in response)) return response;
  const name = response.$ref.slice(response.$ref.lastIndexOf('/') + 1);
  return document.components.responses[name] ?? { description: '', headers: {}, 'x-error-codes': [] };
}

function renderAnswers(operation: Operation, document: Document): string {
  const answers = Object.entries(operation.responses).map(([status, response]) => {
    const { description, headers, content, 'x-error-codes': refusals } = resolveAnswer(response, document);
    if (refusals.length > 0)
      return refusals
        .map(
          (code) =>
            `<tr><td class="status s${status.charAt(0)}">${status}</td><td><code>${escapeHtml(code)}</code></td><td>${renderInline(document.components.examples[code]?.description ?? '')}</td></tr>`,
        )
        .join('');
    return `<tr><td class="status s${status.charAt(0)}">${status}</td><td></td><td>${renderInline(description)}${renderHeaders(headers, document)}${renderSuccess(content, document)}</td></tr>`;
  });
  return `<h4>Answers</h4><table>${answers.join('')}</table>`;
}

/** The headers of this answer alone: those of all answers are in the introduction. */
function renderHeaders(headers: Answer['headers'], document: Document): string {
  const rows = Object.entries(headers).map(([name, header]) => {
    if ('$ref' in header) return '';
    const field = { ...header.schema, description: header.description };
    const line = renderFieldLine({ name, field, isRequired: true }, document.components.schemas);
    return `<li><span class="place">header</span> ${line}</li>`;
  });
  return rows.join('') === '' ? '' : `<ul class="fields">${rows.join('')}</ul>`;
}

function renderSuccess(content: Answer['content'], document: Document): string {
  return Object.values(content ?? {})
    .map((body) => {
      const example = body.example === undefined ? '' : renderJson(body.example);
      const fields = renderFields(body.schema, document.components.schemas);
      const folded = fields === '' ? '' : `<details><summary>Fields</summary>${fields}</details>`;
      return `${example}${folded}`;
    })
    .join('');
}

/** Without the sentence that lists the error codes, which are in the table of answers. */
const ownDescription = ({ description = '' }: Operation): string =>
  description.replace(/\n*Error codes: [^\n]*$/, '');

/** One call, folded; its anchor is the operation's id. */
export function renderOperation(call: Call, document: Document): string {
  const { method, path, operation } = call;
  return `<details class="call" id="${escapeHtml(operation.operationId)}">
<summary><span class="method ${method}">${method}</span> <code class="path">${escapeHtml(path)}</code> <span class="summary">${renderInline(operation.summary)}</span></summary>
<div class="body">
${renderMarkdown(ownDescription(operation))}
<p class="access">Who may call: ${escapeHtml(accessOf(operation))}</p>
<pre><code>${escapeHtml(curlOf(call))}</code></pre>
${renderParameters(operation, document)}
${renderBody(operation, document)}
${renderAnswers(operation, document)}
</div></details>`;
}

/** What is sent to products, folded; `path` is its type. */
export function renderSent({ path, operation }: Call, document: Document): string {
  const examples = Object.values(operation.requestBody?.content ?? {}).flatMap(({ examples: all }) =>
    Object.values(all).map(({ value }) => renderJson(value)),
  );
  return `<details class="call" id="${escapeHtml(operation.operationId)}">
<summary><span class="method post">sent</span> <code class="path">${escapeHtml(path)}</code> <span class="summary">${renderInline(operation.summary)}</span></summary>
<div class="body">
${renderMarkdown(operation.description ?? '')}
${renderParameters(operation, document)}
${renderBody(operation, document)}
${examples.join('\n')}
${renderAnswers(operation, document)}
</div></details>`;
}
