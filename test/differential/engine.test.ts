import { EngineHart } from './engine-hart';
import { describeLockstep } from './suite';

describeLockstep('interpreter', (extensions) => new EngineHart(extensions));
