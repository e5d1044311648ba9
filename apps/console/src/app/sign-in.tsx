import {
  Alert,
  Button,
  Center,
  Code,
  Paper,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import type { SyntheticEvent } from 'react';
import { Failure } from '../parts/states.tsx';

type Props = {
  signIn: (name: string, secret: string) => Promise<void>;
  /** There was a session, which is no more: the page behind comes back after the sign-in. */
  wasEnded: boolean;
};

/** A name and secret of `ADMIN_API_KEY`. */
export function SignIn({ signIn, wasEnded }: Props) {
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  async function send(): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      await signIn(name.trim(), secret);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  }
  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    void send();
  }

  return (
    <Center component="main" mih="100vh" p="md">
      <title>Sign in · Billing console</title>
      <Paper component="form" withBorder p="lg" w="100%" maw={400} onSubmit={submit}>
        <Stack>
          <Title order={1} size="h2">
            Billing console
          </Title>
          <Text c="dimmed" size="sm">
            With a name and secret of <Code>ADMIN_API_KEY</Code>.
          </Text>
          {wasEnded && error === null ? (
            <Alert role="status" variant="outline" color="orange" title="The session has ended">
              Sign in to go on where you were. A session ends when it is not used for half an hour, after 12
              hours, and when somebody ends it.
            </Alert>
          ) : null}
          {error === null ? null : <Failure error={error} />}
          <TextInput
            label="Name"
            autoComplete="username"
            required
            ref={first}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label="Secret"
            autoComplete="current-password"
            required
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
          <Button type="submit" loading={isBusy}>
            Sign in
          </Button>
        </Stack>
      </Paper>
    </Center>
  );
}
