// The least that a program with cobra and viper does: what wsk's start is measured against.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/viper"
)

func main() {
	settings := viper.New()
	settings.SetEnvPrefix("hello")
	settings.AutomaticEnv()
	root := &cobra.Command{Use: "hello"}
	root.PersistentFlags().String("name", "world", "whom to greet")
	_ = settings.BindPFlags(root.PersistentFlags())
	root.AddCommand(&cobra.Command{Use: "version", Run: func(*cobra.Command, []string) {
		fmt.Println("hello,", settings.GetString("name"))
	}})
	if root.Execute() != nil {
		os.Exit(1)
	}
}
