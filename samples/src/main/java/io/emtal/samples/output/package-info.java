/** Writing files so that they are whole or not there, and CSV files with every name as it is. */
package io.emtal.samples.output;
