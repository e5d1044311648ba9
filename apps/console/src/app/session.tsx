import { Center, Loader } from '@mantine/core';
import type { AdminRole } from '@billing/domain';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, use, useCallback } from 'react';
import type { ReactNode } from 'react';
import { call } from '../api/call.ts';
import { ApiError } from '../api/problem.ts';
import { sessionKey } from '../api/query-client.ts';
import { Failure } from '../parts/states.tsx';
import { SignIn } from './sign-in.tsx';

/** Who is signed in. */
export type Session = { name: string; role: AdminRole; project_id: string | null };

const sessionPath = '/console/session';
const roles: readonly AdminRole[] = ['viewer', 'operator', 'admin'];

type Signed = {
  session: Session;
  /** Whether the role is at least this one. */
  may: (least: AdminRole) => boolean;
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

/** Shows its children to who is signed in, and the sign-in to everybody else. The address stays. */
export function SessionGate({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
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
    await call({ method: 'DELETE', path: sessionPath });
    // The pages go first: what they showed is of the session that ended.
    client.setQueryData(sessionKey, null);
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionKey[0] });
  }, [client]);
  if (error !== null)
    return (
      <Center component="main" mih="100vh" p="md">
        <Failure error={error} retry={() => void refetch()} />
      </Center>
    );
  if (data === undefined)
    return (
      <Center component="main" mih="100vh" aria-busy>
        <Loader aria-label="Loading" />
      </Center>
    );
  if (data === null) return <SignIn signIn={signIn} />;
  const may = (least: AdminRole): boolean => roles.indexOf(data.role) >= roles.indexOf(least);
  return <SignedContext value={{ session: data, may, signOut }}>{children}</SignedContext>;
}
