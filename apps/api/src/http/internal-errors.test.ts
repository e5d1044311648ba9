import { startTestApi, testAdmin } from '../testing/start-test-api.test-support.ts';

// A missing table is a fault of the service: no input and no outage can cause it.
test.each(['production', 'development'])(
  'in %s an internal error is answered without internal details, and logged with them',
  async (environment) => {
    const api = await startTestApi({ env: { NODE_ENV: environment, METRICS_TOKEN: 'scrape' } });
    const { projectId } = await api.createProject();
    await api.database.asOwner('ALTER TABLE products RENAME TO gone');
    const response = await api
      .http()
      .get(`/api/v1/admin/projects/${projectId}/products`)
      .set('authorization', `Bearer ${testAdmin.secret}`)
      .set('x-request-id', 'request-1');
    expect(response.status).toBe(500);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.body).toEqual({
      type: 'urn:billing:problem:internal_error',
      title: 'Something went wrong here',
      status: 500,
      detail: 'Try again; if it stays, report it with the request id.',
      code: 'internal_error',
      request_id: 'request-1',
    });
    const logged = api.logs.find((line) => line.includes('request_failed'));
    expect(logged).toContain('request-1');
    expect(logged).toMatch(/products|42P01/);
    await api.close();
  },
);
