/** Tribuo's outputs as tasks: labels to learn from, and predictions back, with one implementation an output type. */
package io.emtal.tribuo.output;
