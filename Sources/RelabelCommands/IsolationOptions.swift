internal import ArgumentParser
internal import RelabelVerification

/// Options shared by all commands that open files which may be broken or hostile.
struct IsolationOptions: ParsableArguments {
  @Flag(
    name: .customLong("no-isolation"),
    help:
      "Use the HDF5 library in this process. This is for debugging: a hostile file may crash the process."
  )
  var usesNoIsolation = false

  @Option(help: "The program to start as a helper process.", completion: .file())
  var helper: String = Program.path

  @Option(
    help: "How many seconds the HDF5 library may take for one file. (default: by the file's size)"
  )
  var timeLimit: Int?

  func validate() throws {
    if let timeLimit, timeLimit < 1 {
      throw ValidationError("Please give --time-limit a number of at least 1.")
    }
  }

  /// Where the HDF5 library works.
  var value: Isolation {
    var isolation = usesNoIsolation ? .none : Isolation(helper: helper)
    isolation.secondsPerFile = timeLimit
    return isolation
  }
}
