import { Center, Loader, VisuallyHidden } from '@mantine/core';
import type { AdminRole } from '@billing/domain';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback } from 'react';
import type { ReactNode } from 'react';
import { call, sessionPath } from '../api/call.ts';
import { ApiError } from '../api/problem.ts';
import { sessionKey } from '../api/query-client.ts';
import type { KnownSession } from '../api/query-client.ts';
import { Failure } from '../parts/states.tsx';
import { SignIn } from './sign-in.tsx';

/** Who is signed in. */
export type Session = { name: string; role: AdminRole; project_id: string | null };

const roles: readonly AdminRole[] = ['viewer', 'operator', 'admin'];

type Signed = {
  session: Session;
  /** Whether the role is at least this one. */
  may: (least: AdminRole) => boolean;
  /** Throws where the session could not be ended. */
  signOut: () => Promise<void>;
};

const SignedContext = createContext<Signed | null>(null);

/** Who is signed in, below `SessionGate`. */
export function useSession(): Signed {
  const signed = use(SignedContext);
  if (signed === null) throw new Error('useSession is for what SessionGate shows.');
  return signed;
}

async function readSession(signal: AbortSignal): Promise<Session | null> {
  try {
    return await call<Session>({ path: sessionPath, signal });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return null;
    throw error;
  }
}

/** Ends the session; one that has ended already is none any more. */
async function closeSession(): Promise<void> {
  try {
    await call({ method: 'DELETE', path: sessionPath });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
  }
}

/** What is shown until it is known who is signed in. */
function Unknown({ error, retry }: { error: Error | null; retry: () => void }) {
  return (
    <Center component="main" mih="100vh" p="md" aria-busy={error === null}>
      <title>Billing console</title>
      <VisuallyHidden component="h1">Billing console</VisuallyHidden>
      {error === null ? <Loader aria-label="Loading" /> : <Failure error={error} retry={retry} />}
    </Center>
  );
}

/** Shows its children to who is signed in, and the sign-in to everybody else. The address stays. */
export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery<KnownSession<Session>>({
    queryKey: sessionKey,
    queryFn: ({ signal }) => readSession(signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const signIn = useCallback(
    async (name: string, secret: string) => {
      await call({ method: 'POST', path: sessionPath, body: { name, secret } });
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
      await refetch();
    },
    [client, refetch],
  );
  const signOut = useCallback(async () => {
    await closeSession();
    // The pages go first: what they showed is of the session that ended.
    client.setQueryData(sessionKey, null);
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
  }, [client]);
  if (data === undefined) return <Unknown error={error} retry={() => void refetch()} />;
  if (data === null || data === 'ended') return <SignIn signIn={signIn} wasEnded={data === 'ended'} />;
  const may = (least: AdminRole): boolean => roles.indexOf(data.role) >= roles.indexOf(least);
  return <SignedContext value={{ session: data, may, signOut }}>{children}</SignedContext>;
}
