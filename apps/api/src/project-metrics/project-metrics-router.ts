import { id } from '@billing/domain';
import type { ProjectMetricsResponse } from '@billing/domain';
import { readProjectMetrics } from '@billing/store';
import { Router } from 'express';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import type { AppDeps } from '../deps.ts';
import { projectOf, requireProjectKey, requireSameProject } from '../http/authenticate.ts';
import type { ProjectKeyDeps } from '../http/authenticate.ts';
import { mountRoute } from '../http/mount-route.ts';
import { parseParams } from '../http/parse.ts';

const path = z.object({ project_id: id });

/** `GET /api/v1/metrics/project/{project_id}`. */
export function createProjectMetricsRouter(deps: ProjectKeyDeps & Pick<AppDeps, 'database'>): Router {
  const router = Router({ caseSensitive: true });
  const handlers = [requireProjectKey(deps, 'read'), showMetrics(deps)];
  mountRoute(router, '/api/v1/metrics/project/:project_id', { get: handlers });
  return router;
}

function showMetrics({ database }: Pick<AppDeps, 'database'>): RequestHandler {
  return async (request, response) => {
    const record = projectOf(response);
    requireSameProject(record, parseParams(path, request).project_id);
    const metrics = await readProjectMetrics(database, record.projectId);
    const answer: ProjectMetricsResponse = {
      project_id: record.projectId,
      active_subscriptions: metrics.active,
      trialing_subscriptions: metrics.trialing,
      total_subscriptions: metrics.total,
      estimated_mrr_cents: metrics.monthlyCents,
      estimated_mrr_dollars: metrics.monthlyCents / 100,
    };
    response.status(200).json(answer);
  };
}
