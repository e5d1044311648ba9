import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { useSession } from '../app/session.tsx';
import { ActionSteps } from './action-steps.tsx';
import type { Action } from './action-type.ts';

type Props = { action: Action; variant?: 'default' | 'filled' | 'subtle'; size?: string; label?: string };

/** The button of an action, where the role may do it; else nothing. */
export function ActionButton({ action, variant = 'default', size = 'xs', label }: Props) {
  const { may } = useSession();
  const [isOpen, setOpen] = useState(false);
  if (!may(action.least)) return null;
  return (
    <>
      <Button
        variant={variant}
        size={size}
        {...(action.isDangerous === true ? { color: 'red', variant: 'outline' } : {})}
        {...(label === undefined ? {} : { 'aria-label': label })}
        onClick={() => setOpen(true)}
      >
        {action.label}
      </Button>
      <Modal
        opened={isOpen}
        onClose={() => setOpen(false)}
        title={action.title}
        size="lg"
        closeButtonProps={{ 'aria-label': 'Close' }}
        transitionProps={{ duration: 0 }}
      >
        <ActionSteps action={action} close={() => setOpen(false)} />
      </Modal>
    </>
  );
}
