import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct, IConstruct } from 'constructs';

/** What runs guests: a worker function, a state table and a run queue. */
export interface IHost extends IConstruct {
  /** State of the host's guests: heads, packs, inboxes. */
  readonly table: dynamodb.ITableV2;
  /** Run tokens. */
  readonly queue: sqs.IQueue;
  /** Runs slices. */
  readonly worker: lambda.IFunction;
  /** Takes events for guests. */
  readonly ingress: lambda.IFunction;

  /** Lets the grantee send events to the guests of this host, by invoking the ingress function. */
  grantSend(grantee: iam.IGrantable): iam.Grant;
  /** Lets the grantee put run tokens into the run queue, and so wake guests without an event. */
  grantWake(grantee: iam.IGrantable): iam.Grant;

  /** Slices that were begun. Default: sum over 5 minutes. */
  metricSlices(props?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Slices that ended in an error or were cut off. Default: sum over 5 minutes. */
  metricSliceErrors(props?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Time that a slice took with restore and commit, in milliseconds. Default: average over 5 minutes. */
  metricSliceDuration(props?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Run tokens that wait for a worker. Default: maximum over 5 minutes. */
  metricWaitingTokens(props?: cloudwatch.MetricOptions): cloudwatch.Metric;
  /** Age of the oldest run token in seconds. Default: maximum over 5 minutes. */
  metricTokenAge(props?: cloudwatch.MetricOptions): cloudwatch.Metric;
}

/** What is known of a host that another app declares. */
export interface HostAttributes {
  /** ARN of the state table. */
  readonly tableArn: string;
  /** ARN of the run queue. */
  readonly queueArn: string;
  /** ARN of the worker function. */
  readonly workerArn: string;
  /** ARN of the ingress function. */
  readonly ingressArn: string;
}

/** What hosts of this app and of others have in common. */
export abstract class HostBase extends Construct implements IHost {
  public abstract readonly table: dynamodb.ITableV2;
  public abstract readonly queue: sqs.IQueue;
  public abstract readonly worker: lambda.IFunction;
  public abstract readonly ingress: lambda.IFunction;

  public grantSend(grantee: iam.IGrantable): iam.Grant {
    return this.ingress.grantInvoke(grantee);
  }

  public grantWake(grantee: iam.IGrantable): iam.Grant {
    return iam.Grant.addToPrincipal({
      grantee,
      actions: ['sqs:SendMessage'],
      resourceArns: [this.queue.queueArn],
    });
  }

  public metricSlices(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.worker.metricInvocations(props);
  }

  public metricSliceErrors(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.worker.metricErrors(props);
  }

  public metricSliceDuration(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.worker.metricDuration(props);
  }

  public metricWaitingTokens(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible(props);
  }

  public metricTokenAge(props?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.queue.metricApproximateAgeOfOldestMessage(props);
  }
}

/** See `Host.fromHostAttributes`. */
export class ImportedHost extends HostBase {
  public readonly table: dynamodb.ITableV2;
  public readonly queue: sqs.IQueue;
  public readonly worker: lambda.IFunction;
  public readonly ingress: lambda.IFunction;

  constructor(scope: Construct, id: string, attributes: HostAttributes) {
    super(scope, id);
    this.table = dynamodb.TableV2.fromTableArn(this, 'Table', attributes.tableArn);
    this.queue = sqs.Queue.fromQueueArn(this, 'Queue', attributes.queueArn);
    this.worker = this.importFunction('Worker', attributes.workerArn);
    this.ingress = this.importFunction('Ingress', attributes.ingressArn);
  }

  /** Account and region are in the ARN, so a function of the same environment can be granted upon. */
  private importFunction(id: string, functionArn: string): lambda.IFunction {
    return lambda.Function.fromFunctionAttributes(this, id, { functionArn, sameEnvironment: true });
  }
}
