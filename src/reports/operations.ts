import type { SignedIn } from '../accounts/sessions.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { answerForm, answerReport, type ReportDependencies, reportForm, reportMessage } from './report.ts';

const REPORTS = { name: 'reports', points: 20, seconds: 3_600, sentence: 'That is many reports.' };

/** Who may depends on the message and its group, which the verbs look at. */
export const reportOperations: readonly Operation<ReportDependencies, SignedIn>[] = [
  defineOperation({
    name: 'report',
    path: '/groups/:groupId/messages/:seq/report',
    input: reportForm,
    rate: REPORTS,
    policy: () => undefined,
    run: (context: ReportDependencies, { account }: SignedIn, input) =>
      reportMessage(context, account, input),
  }),
  defineOperation({
    name: 'answer-report',
    path: '/reports/:reportId/answer',
    input: answerForm,
    policy: () => undefined,
    run: (context: ReportDependencies, { account }: SignedIn, input) => answerReport(context, account, input),
  }),
];
