import ArgumentParser
import RelabelCommands

/// The entry point of `relabel`.
@main
enum Main {
  static func main() {
    Program.run(RelabelCommand.self)
  }
}
