import { DynamoTable } from '../../../lambdas/store/dynamodb';
import { storeContract } from '../../contract/store';
import { localTable } from '../dynalite';

storeContract('dynamodb', async () => {
  const { client, tableName, close } = await localTable();
  return { table: new DynamoTable({ client, tableName }), close };
});
