import { getProject } from '@billing/store';
import { ServiceError } from '@billing/domain';
import { applyCatalog, planCatalog } from './import-catalog.ts';
import { importCustomers } from './import-customers.ts';
import type { ImportDeps, PhaseDeps } from './import-deps.ts';
import { ImportError } from './import-deps.ts';
import { importDisputes, importInvoices, importRefunds } from './import-invoices.ts';
import { importPayments, importSessions } from './import-payments.ts';
import { readScope } from './import-scope.ts';
import type { Scope } from './import-scope.ts';
import { beginPhase, clearTally, phases } from './import-state.ts';
import type { Phase } from './import-state.ts';
import { importSubscriptions } from './import-subscriptions.ts';
import type { Mapping } from './mapping.ts';

export type ImportInput = { mapping: Mapping | null; listed: ReadonlyMap<string, string> };

/**
 * Imports an existing Stripe account into a project: catalog, customers, live subscriptions, past one-time payments,
 * and what went back of all of them.
 * Continues from `deps.state`. May be run any number of times, also while webhooks arrive. Throws ImportError.
 */
export async function runImport(deps: ImportDeps, { mapping, listed }: ImportInput): Promise<void> {
  await requireProject(deps);
  const scope = await importCatalog(deps, mapping);
  const steps: Record<Exclude<Phase, 'catalog'>, (phaseDeps: PhaseDeps) => Promise<void>> = {
    customers: (phaseDeps) => importCustomers(phaseDeps, { scope, listed }),
    subscriptions: (phaseDeps) => importSubscriptions(phaseDeps, scope),
    sessions: (phaseDeps) => importSessions(phaseDeps, scope),
    payments: (phaseDeps) => importPayments(phaseDeps, scope),
    invoices: (phaseDeps) => importInvoices(phaseDeps, scope),
    refunds: (phaseDeps) => importRefunds(phaseDeps, scope),
    disputes: (phaseDeps) => importDisputes(phaseDeps, scope),
  };
  const { state } = deps;
  const from = phases.indexOf(state.phase);
  for (const phase of phases.slice(Math.max(1, from))) {
    if (phase === 'catalog') continue;
    if (state.phase !== phase) beginPhase(state, phase);
    await steps[phase]({ ...deps, tally: state.tallies[phase] });
  }
  deps.progress.end();
}

/** The catalog is small and every other phase needs it: it is read at each start. */
async function importCatalog(deps: ImportDeps, mapping: Mapping | null): Promise<Scope> {
  const tally = deps.state.tallies.catalog;
  clearTally(tally);
  const phaseDeps = { ...deps, tally };
  const planned = mapping === null ? [] : await planCatalog(phaseDeps, mapping);
  const ours = mapping === null ? [] : await applyCatalog(phaseDeps, { mapping, planned });
  deps.save();
  return readScope(deps, ours);
}

async function requireProject({ sync, projectId }: ImportDeps): Promise<void> {
  try {
    await getProject(sync.database, projectId);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'project_not_found') throw error;
    throw new ImportError(
      `There is no project ${projectId}. Make it first: npm run billing -- projects create ${projectId} --name "…"`,
    );
  }
}
