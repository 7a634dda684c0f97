//! Every stage under the name it has in a plan, in dataflow order.
