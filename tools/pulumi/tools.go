//go:build tools

// Package tools makes `go mod tidy` keep what is only built, by tools/go.js.
package tools

import _ "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
