// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.ChecksumFs;
import org.apache.hadoop.fs.DelegateToFileSystem;
import org.apache.hadoop.fs.FsServerDefaults;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.local.LocalConfigKeys;
import org.apache.hadoop.fs.permission.FsPermission;

/**
 * Hadoop's local files, but for permissions, which it sets by starting a process for every file where
 * libhadoop.so is absent, as it is in the package of PyPI. With these Spark is measured at its best.
 */
public final class LocalFiles {
  private LocalFiles() {}

  static final class Raw extends RawLocalFileSystem {
    @Override
    public void setPermission(Path path, FsPermission mode) throws IOException {
      String text =
          mode.getUserAction().SYMBOL + mode.getGroupAction().SYMBOL + mode.getOtherAction().SYMBOL;
      Files.setPosixFilePermissions(
          pathToFile(path).toPath(), PosixFilePermissions.fromString(text));
    }
  }

  /** For fs.file.impl. */
  public static final class OfFileSystem extends LocalFileSystem {
    public OfFileSystem() {
      super(new Raw());
    }
  }

  static final class RawContext extends DelegateToFileSystem {
    RawContext(URI uri, Configuration configuration) throws Exception {
      super(uri, new Raw(), configuration, "file", false);
    }

    @Override
    public int getUriDefaultPort() {
      return -1;
    }

    @Override
    public FsServerDefaults getServerDefaults() throws IOException {
      return LocalConfigKeys.getServerDefaults();
    }

    @Override
    public FsServerDefaults getServerDefaults(Path path) throws IOException {
      return getServerDefaults();
    }

    @Override
    public boolean isValidName(String name) {
      return true;
    }
  }

  /** For fs.AbstractFileSystem.file.impl. */
  public static final class OfContext extends ChecksumFs {
    public OfContext(URI uri, Configuration configuration) throws Exception {
      super(new RawContext(uri, configuration));
    }
  }
}
