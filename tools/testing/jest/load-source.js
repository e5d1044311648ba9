import { register } from 'node:module';

// Lets this process, one of jest's, load TypeScript, and our packages from source.
register('./source-hooks.js', import.meta.url);
