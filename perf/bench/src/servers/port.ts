export const port = Number(process.env['BENCH_PORT']);
export const host = '127.0.0.1';
