import { MemoryTable } from '../../../lambdas/store/memory';
import { storeContract } from '../../contract/store';

storeContract('memory', async () => ({ table: new MemoryTable(), close: async () => undefined }));
