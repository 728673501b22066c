/** Where paths begin, and the mask of new files; shared by tasks cloned with CLONE_FS (Linux: fs_struct). */
import type { Location } from '../vfs/location';

export class FileContext {
  users = 1;

  constructor(
    private rootLocation: Location,
    private cwdLocation: Location,
    public umask: number,
  ) {
    rootLocation.inode.acquire();
    cwdLocation.inode.acquire();
  }

  get root(): Location {
    return this.rootLocation;
  }
  set root(location: Location) {
    location.inode.acquire();
    this.rootLocation.inode.release();
    this.rootLocation = location;
  }
  get cwd(): Location {
    return this.cwdLocation;
  }
  set cwd(location: Location) {
    location.inode.acquire();
    this.cwdLocation.inode.release();
    this.cwdLocation = location;
  }

  copy(): FileContext {
    return new FileContext(this.rootLocation, this.cwdLocation, this.umask);
  }
  release(): void {
    if (--this.users > 0) return;
    this.rootLocation.inode.release();
    this.cwdLocation.inode.release();
  }
}
