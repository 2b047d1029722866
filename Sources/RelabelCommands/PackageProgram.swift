internal import Relabel
internal import RelabelSystem

/// A program of the Python package that a command of `relabel` stands for.
struct PackageProgram {
  /// The command's name, which the program has behind `relabel-`.
  let command: String
  /// The extra of the package that brings what the program needs.
  let extra: String

  /// Hands over to the program, which takes this process over; returns only with an error.
  func handOver(_ arguments: [String]) throws(RelabelError) {
    let program = "relabel-\(command)"
    try ThisProcess.handOver(to: program, arguments: arguments)
    throw RelabelError(
      .usage,
      "\(command) comes with the Python package: pip install 'relabel-hdf5[\(extra)]', and let PATH name the folder"
        + " of \(program)"
    )
  }
}
