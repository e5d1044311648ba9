import { Button } from '@mantine/core';
import { useSession } from '../app/session.tsx';
import { useOpenAction } from './action-host.tsx';
import type { Action } from './action-type.ts';

type Props = { action: Action; variant?: 'default' | 'filled' | 'subtle'; size?: string; label?: string };

/** The button of an action, where role and project of the name allow it; else nothing. */
export function ActionButton({ action, variant = 'default', size = 'xs', label }: Props) {
  const { session, may } = useSession();
  const open = useOpenAction();
  if (!may(action.least) || (action.isOfAll === true && session.project_id !== null)) return null;
  return (
    <Button
      variant={variant}
      size={size}
      {...(action.isDangerous === true ? { color: 'red', variant: 'outline' } : {})}
      {...(label === undefined ? {} : { 'aria-label': label })}
      onClick={() => open(action)}
    >
      {action.label}
    </Button>
  );
}
