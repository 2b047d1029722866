import ArgumentParser
import RelabelCommands

/// The entry point of `relabel`, and of the other tools where the program has their name.
@main
enum Main {
  static func main() {
    Program.runByName()
  }
}
