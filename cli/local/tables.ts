/** Creates the template's tables in the DynamoDB server, through the real SDK. */
import {
  CreateTableCommand,
  waitUntilTableExists,
  type CreateTableCommandInput,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
} from '@aws-sdk/client-dynamodb';
import type { Json, JsonObject } from './assembly';
import type { Resource } from './resources';

export const TABLE_TYPES = ['AWS::DynamoDB::Table', 'AWS::DynamoDB::GlobalTable'];

/** Keys and indexes are what the template says; capacity is always on demand, the only mode that means anything here. */
export async function createTables(client: DynamoDBClient, tables: readonly Resource[]): Promise<void> {
  for (const { name, properties } of tables) {
    const globalIndexes = indexes(properties['GlobalSecondaryIndexes']);
    const localIndexes = indexes(properties['LocalSecondaryIndexes']);
    const input = {
      TableName: name,
      AttributeDefinitions: properties['AttributeDefinitions'],
      KeySchema: properties['KeySchema'],
      BillingMode: 'PAY_PER_REQUEST',
      ...(globalIndexes.length > 0 ? { GlobalSecondaryIndexes: globalIndexes } : {}),
      ...(localIndexes.length > 0 ? { LocalSecondaryIndexes: localIndexes } : {}),
    };
    await client.send(new CreateTableCommand(input as unknown as CreateTableCommandInput));
    await waitUntilTableExists({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { TableName: name });
  }
}

function indexes(declared: Json | undefined): GlobalSecondaryIndex[] {
  return ((declared ?? []) as readonly JsonObject[]).map(
    ({ IndexName, KeySchema, Projection }) =>
      ({ IndexName, KeySchema, Projection }) as unknown as GlobalSecondaryIndex,
  );
}
