// Ory Kratos, whose commands are a package of its module. `go install` refuses the module itself, because its go.mod
// replaces other modules; the go.mod beside this file has those of the replacements that a program needs.
package main

import (
	"os"

	"github.com/ory/kratos/cmd"
)

func main() { os.Exit(cmd.Execute()) }
