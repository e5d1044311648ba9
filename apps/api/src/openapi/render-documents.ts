import { createOpenApiDocument } from './create-document.ts';
import { renderErrorsPage } from './render-errors-page.ts';

/** The files in docs/ that are made from the code, by name. */
export const renderDocuments = (): Record<string, string> => ({
  'openapi.json': `${JSON.stringify(createOpenApiDocument(), null, 2)}\n`,
  'api-errors.md': renderErrorsPage(),
});
