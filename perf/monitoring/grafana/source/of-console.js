import { graph } from './panels.js';

/** How the operators' pages are used. */
export const ofConsole = [
  'Console',
  [
    graph('Sessions', [['max(console_sessions)', 'sessions']], { width: 8 }),
    graph(
      'Signed in and out',
      [
        ['sum by (role) (increase(console_sign_ins_total[1h]))', 'in: {{role}}'],
        ['sum by (how) (increase(console_sessions_ended_total[1h]))', 'out: {{how}}'],
      ],
      {
        width: 8,
        description: 'In an hour. Refused names and secrets are among the refused credentials.',
      },
    ),
    graph(
      'Calls with a session',
      [['sum by (role, kind) (rate(console_calls_total[$__rate_interval]))', '{{role}}: {{kind}}']],
      { unit: 'reqps', isStacked: true, width: 8 },
    ),
  ],
];
