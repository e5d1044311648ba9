import { Button } from '@mantine/core';
import type { Action } from '../../parts/action-type.ts';
import { saveFile } from '../../parts/save-file.ts';
import type { UserKey } from './user-key.ts';

/** All that is stored of a user, as a file. */
export const exportAction = ({ projectId, userId }: UserKey): Action => ({
  label: 'Export',
  title: `Export ${userId}`,
  words: 'Everything that is stored of the user, as JSON. That you asked for it is in the audit log.',
  least: 'admin',
  request: () => ({
    method: 'POST',
    path: '/api/v1/admin/users/export',
    body: { project_id: projectId, user_id: userId },
  }),
  done: (answer) => (
    <Button
      variant="default"
      onClick={() =>
        saveFile(JSON.stringify(answer, null, 2), { name: userId, ending: 'json', type: 'application/json' })
      }
    >
      Save it
    </Button>
  ),
});
