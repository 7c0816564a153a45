/** The executable samples: one main class, one subcommand per class. */
package io.emtal.samples;
